;; Names the same 64 KiB of its memory as each of ten thousand columns: the host would copy 2 GB for
;; it, out of a memory of one.
;; limits: batch-time=5000ms
;; always: output: more than 67108864 bytes, which is its limit
(func $answer (param $rows i32) (param $columns i32) (result i32) (local $at i32) (local $i i32)
  (memory.fill (i32.const 1024) (i32.const 0) (i32.const 64))
  (if (i32.eqz (local.get $rows)) (then (return (i32.const 1024))))
  (local.set $at (call $realloc (i32.const 0) (i32.const 0) (i32.const 4) (i32.const 240000)))
  (loop $turn
    (i32.store offset=16 (i32.add (local.get $at) (i32.mul (local.get $i) (i32.const 24))) (i32.const 0))
    (i32.store offset=20 (i32.add (local.get $at) (i32.mul (local.get $i) (i32.const 24))) (i32.const 65536))
    (local.set $i (i32.add (local.get $i) (i32.const 1)))
    (br_if $turn (i32.lt_u (local.get $i) (i32.const 10000))))
  (i32.store (i32.const 1028) (local.get $rows))
  (i32.store (i32.const 1032) (local.get $at))
  (i32.store (i32.const 1036) (i32.const 10000))
  (i32.const 1024))
