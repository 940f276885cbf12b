;; Refuses a batch in a gigabyte of words, which it has not got.
;; fault: trap: out of bounds
(func $map_batch (export "weir:udf/mapper@0.1.0#map-batch")
  (param $f i32) (param $rows i32) (param $columns i32) (param $n i32) (result i32)
  (drop (call $answer (local.get $rows) (local.get $columns)))
  (if (call $has_three (local.get $rows) (local.get $columns)) (then
    (i32.store (i32.const 1024) (i32.const 1))
    (i32.store (i32.const 1028) (i32.const 0))
    (i32.store (i32.const 1032) (i32.const 1073741824))))
  (i32.const 1024))
