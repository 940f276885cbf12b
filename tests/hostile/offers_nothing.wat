;; Has an empty catalog.
;; refused: its catalog is empty
(func $functions (export "weir:udf/catalog@0.1.0#functions") (result i32)
  (i32.store (i32.const 4096) (i32.const 0)) (i32.store (i32.const 4100) (i32.const 0)) (i32.const 4096))
