;; Offers the same function two thousand times.
;; refused: it offers 2000 functions, and at most 1000 are allowed
(func $functions (export "weir:udf/catalog@0.1.0#functions") (result i32) (local $at i32) (local $i i32)
  (local.set $at (call $realloc (i32.const 0) (i32.const 0) (i32.const 4) (i32.const 112000)))
  (loop $turn
    (memory.copy (i32.add (local.get $at) (i32.mul (local.get $i) (i32.const 56))) (i32.const 16392) (i32.const 56))
    (local.set $i (i32.add (local.get $i) (i32.const 1)))
    (br_if $turn (i32.lt_u (local.get $i) (i32.const 2000))))
  (i32.store (i32.const 16384) (local.get $at)) (i32.store (i32.const 16388) (i32.const 2000)) (i32.const 16384))
