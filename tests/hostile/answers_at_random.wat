;; Answers with random numbers, now and then small ones: sizes, places, rows. `fuzz.rs` calls it with many seeds.
;; kind: flat-mapper
;; harmless
(func $word (result i32) (local $n i64)
  (local.set $n (call $random))
  (if (i64.ne (i64.and (local.get $n) (i64.const 24)) (i64.const 0)) (then (return (i32.const 0))))
  (if (result i32) (i64.eqz (i64.and (local.get $n) (i64.const 7)))
    (then (i32.wrap_i64 (i64.shr_u (local.get $n) (i64.const 32))))
    (else (i32.and (i32.wrap_i64 (i64.shr_u (local.get $n) (i64.const 32))) (i32.const 60)))))
(func $scatter (param $at i32) (param $end i32)
  (loop $turn
    (i32.store (local.get $at) (call $word))
    (local.set $at (i32.add (local.get $at) (i32.const 4)))
    (br_if $turn (i32.lt_u (local.get $at) (local.get $end)))))
(func $flat_map_batch (export "weir:udf/flat-mapper@0.1.0#flat-map-batch")
  (param $f i32) (param $rows i32) (param $columns i32) (param $n i32) (result i32)
  (if (i32.lt_u (local.get $rows) (i32.const 5)) (then
    (drop (call $answer (local.get $rows) (local.get $columns)))
    (i32.store (i32.const 1040) (call $numbers (local.get $rows)))
    (i32.store (i32.const 1044) (i32.mul (local.get $rows) (i32.const 4)))
    (return (i32.const 1024))))
  ;; What the columns and texts are read from: the first bytes of memory.
  (call $scatter (i32.const 0) (i32.const 128))
  (memory.fill (i32.const 1024) (i32.const 0) (i32.const 64))
  (i32.store (i32.const 1028) (i32.and (call $word) (i32.const 4)))
  (i32.store (i32.const 1032) (i32.and (call $word) (i32.const 60)))
  (i32.store (i32.const 1036) (i32.const 1))
  (i32.store (i32.const 1040) (call $word))
  (i32.store (i32.const 1044) (i32.and (call $word) (i32.const 20)))
  (if (i32.and (call $word) (i32.const 4)) (then (call $scatter (i32.const 1024) (i32.const 1064))))
  (i32.const 1024))
