;; Says of one row a million times that it failed, each time in a thousand bytes that are the same ones.
;; limits: memory=64MiB batch-time=5000ms
;; fault: output: more than 67108864 bytes, which is its limit
(func $map_batch (export "weir:udf/mapper@0.1.0#map-batch")
  (param $f i32) (param $rows i32) (param $columns i32) (param $n i32) (result i32) (local $at i32) (local $i i32)
  (drop (call $answer (local.get $rows) (local.get $columns)))
  (if (call $has_three (local.get $rows) (local.get $columns)) (then
    (local.set $at (call $realloc (i32.const 0) (i32.const 0) (i32.const 4) (i32.const 12000000)))
    (memory.fill (local.get $at) (i32.const 0) (i32.const 12000000))
    (loop $turn
      (i32.store offset=4 (i32.add (local.get $at) (i32.mul (local.get $i) (i32.const 12))) (i32.const 32768))
      (i32.store offset=8 (i32.add (local.get $at) (i32.mul (local.get $i) (i32.const 12))) (i32.const 1000))
      (local.set $i (i32.add (local.get $i) (i32.const 1)))
      (br_if $turn (i32.lt_u (local.get $i) (i32.const 1000000))))
    (i32.store (i32.const 1040) (local.get $at))
    (i32.store (i32.const 1044) (i32.const 1000000))))
  (i32.const 1024))
