;; Says 100,000 bytes of itself.
;; refused: a doc of 100000 bytes, and at most 65536 are allowed
(func $functions (export "weir:udf/catalog@0.1.0#functions") (result i32) (local $at i32)
  (local.set $at (call $realloc (i32.const 0) (i32.const 0) (i32.const 4) (i32.const 100000)))
  (memory.fill (local.get $at) (i32.const 97) (i32.const 100000))
  (i32.store (i32.const 16404) (local.get $at)) (i32.store (i32.const 16408) (i32.const 100000)) (i32.const 16384))
