;; Says that it offers 268 million functions.
;; refused: its catalog can't be read: it
(func $functions (export "weir:udf/catalog@0.1.0#functions") (result i32)
  (i32.store (i32.const 16388) (i32.const 268435456)) (i32.const 16384))
