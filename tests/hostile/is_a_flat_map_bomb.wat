;; Makes a million and more rows of a batch, all of them there.
;; kind: flat-mapper
;; limits: output-rows=1000000 batch-time=5000ms
;; fault: output: the result: 2000000 rows, and its limit is 1000000
(func $flat_map_batch (export "weir:udf/flat-mapper@0.1.0#flat-map-batch")
  (param $f i32) (param $rows i32) (param $columns i32) (param $n i32) (result i32)
  (if (call $has_three (local.get $rows) (local.get $columns)) (then
    (local.set $rows (i32.const 2000000))
    (local.set $columns (call $zeros (local.get $rows)))))
  (drop (call $answer (local.get $rows) (local.get $columns)))
  (i32.store (i32.const 1040) (call $numbers (local.get $rows)))
  (i32.store (i32.const 1044) (i32.mul (local.get $rows) (i32.const 4)))
  (i32.const 1024))
