;; Takes 2,000 columns.
;; refused: 2000 columns or parameters, and at most 1000 are allowed
(func $functions (export "weir:udf/catalog@0.1.0#functions") (result i32) (local $at i32) (local $i i32)
  (local.set $at (call $realloc (i32.const 0) (i32.const 0) (i32.const 4) (i32.const 24000)))
  (loop $turn
    (memory.copy (i32.add (local.get $at) (i32.mul (local.get $i) (i32.const 12))) (i32.const 16480) (i32.const 12))
    (local.set $i (i32.add (local.get $i) (i32.const 1)))
    (br_if $turn (i32.lt_u (local.get $i) (i32.const 2000))))
  (i32.store (i32.const 16420) (local.get $at)) (i32.store (i32.const 16424) (i32.const 1999)) (i32.const 16384))
