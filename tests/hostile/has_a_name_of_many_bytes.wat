;; Is named in 10,000 letters.
;; refused: a name in its catalog has 10000 bytes, and at most 256 are allowed
(func $functions (export "weir:udf/catalog@0.1.0#functions") (result i32)
  (memory.fill (i32.const 20000) (i32.const 97) (i32.const 10000))
  (i32.store (i32.const 16392) (i32.const 20000)) (i32.store (i32.const 16396) (i32.const 10000)) (i32.const 16384))
