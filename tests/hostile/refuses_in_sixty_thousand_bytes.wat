;; Refuses a batch in 60,000 bytes of zeros, of which 4 KiB are kept.
;; limits: message=4KiB
;; fault: refused: …
(func $map_batch (export "weir:udf/mapper@0.1.0#map-batch")
  (param $f i32) (param $rows i32) (param $columns i32) (param $n i32) (result i32)
  (drop (call $answer (local.get $rows) (local.get $columns)))
  (if (call $has_three (local.get $rows) (local.get $columns)) (then
    (memory.fill (i32.const 4096) (i32.const 97) (i32.const 12000))
    (i32.store (i32.const 1024) (i32.const 1))
    (i32.store (i32.const 1028) (i32.const 4096))
    (i32.store (i32.const 1032) (i32.const 12000))))
  (i32.const 1024))
