;; Asks for more columns back than it may have: the same numbers a hundred times over.
;; limits: output=1MiB
;; harmless
(func $harm (param $rows i32) (param $columns i32) (local $at i32)
  (local.set $at (i32.const 24000))
  (memory.init $first (local.get $at) (i32.const 0) (i32.const 8))
  (local.set $at (i32.const 24008))
  (loop $next
    (memory.init $out (local.get $at) (i32.const 0) (i32.const 12))
    (local.set $at (i32.add (local.get $at) (i32.const 12)))
    (br_if $next (i32.lt_u (local.get $at) (i32.const 30000))))
  (call $evaluate (i32.const 24000) (i32.sub (local.get $at) (i32.const 24000)) (i32.const 1000000) (i32.const 0) (i32.const 0)
    (i32.const 1200))
  (if (i32.ne (i32.load8_u (i32.const 1200)) (i32.const 1)) (then unreachable)))
(data $first "int64 1\n")
(data $out "out int64 0\n")
