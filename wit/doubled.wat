;; A whole function by hand: doubled(value: int64) -> doubled: int64.
;;
;; A core module that exports the contract's functions by name; `weir build`, `weir test` and pipelines
;; make a component of it (`wat2wasm doubled.wat` or `wasm-tools parse doubled.wat -o doubled.wasm`).
(module
  (memory (export "memory") 1)

  ;; The catalog: a list of one signature, 56 bytes, as it is laid out in memory.
  (data (i32.const 8)   "\10\00\00\00\01\00\00\00")             ;; the list: address 16, length 1
  (data (i32.const 16)  "\00\01\00\00\07\00\00\00"               ;; name: address 256, length 7
                        "\00\00\00\00"                           ;; kind: mapper, and 3 bytes unused
                        "\10\01\00\00\10\00\00\00"               ;; doc: address 272, length 16
                        "\00\00\00\00\00\00\00\00"               ;; parameters: none
                        "\80\00\00\00\01\00\00\00"               ;; inputs: address 128, one
                        "\90\00\00\00\01\00\00\00"               ;; outputs: address 144, one
                        "\00\00\00\00\00\00\00\00"               ;; accumulator: none
                        "\00\00\00\00")                          ;; retractable: no
  (data (i32.const 128) "\20\01\00\00\05\00\00\00\02\00\00\00")  ;; field: name at 288, 5 long; int64; not nullable
  (data (i32.const 144) "\00\01\00\00\07\00\00\00\02\00\00\00")  ;; field: name at 256, 7 long; int64; not nullable
  (data (i32.const 256) "doubled")
  (data (i32.const 272) "Twice the value.")
  (data (i32.const 288) "value")
  (func (export "weir:udf/catalog@0.1.0#functions") (result i32) (i32.const 8))

  ;; The host allocates arguments with it, one behind the other from 1024 on.
  (global $top (mut i32) (i32.const 1024))
  (func (export "cabi_realloc") (param $old i32) (param $old_size i32) (param $align i32) (param $size i32) (result i32)
    (local $at i32) (local $pages i32)
    (local.set $at (i32.and (i32.add (global.get $top) (i32.const 15)) (i32.const -16)))
    (global.set $top (i32.add (local.get $at) (local.get $size)))
    (local.set $pages (i32.shr_u (i32.add (global.get $top) (i32.const 65535)) (i32.const 16)))
    (if (i32.gt_u (local.get $pages) (memory.size))
      (then (if (i32.eq (memory.grow (i32.sub (local.get $pages) (memory.size))) (i32.const -1)) (then (unreachable)))))
    (local.get $at))

  ;; Doubles the numbers where they stand, and gives the columns back as they came: no nulls, no offsets.
  (func (export "weir:udf/mapper@0.1.0#map-batch")
    (param $function i32) (param $rows i32) (param $columns i32) (param $count i32) (result i32)
    (local $at i32) (local $end i32)
    (local.set $at (i32.load offset=16 (local.get $columns)))    ;; the first column's values
    (local.set $end (i32.add (local.get $at) (i32.shl (local.get $rows) (i32.const 3))))
    (block $done (loop $next
      (br_if $done (i32.ge_u (local.get $at) (local.get $end)))
      (i64.store (local.get $at) (i64.shl (i64.load (local.get $at)) (i64.const 1)))
      (local.set $at (i32.add (local.get $at) (i32.const 8)))
      (br $next)))
    (i32.store (i32.const 512) (i32.const 0))                    ;; ok
    (i32.store (i32.const 516) (local.get $rows))
    (i32.store (i32.const 520) (local.get $columns))
    (i32.store (i32.const 524) (i32.const 1))
    (i64.store (i32.const 528) (i64.const 0))                    ;; errors: none
    (i32.const 512))

  ;; The host has copied the result: all that was allocated for the call is free again.
  (func (export "cabi_post_weir:udf/mapper@0.1.0#map-batch") (param i32) (global.set $top (i32.const 1024))))
