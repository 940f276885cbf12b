;; Counts its calls, and adds that to its answers: another instance answers otherwise, and `weir inspect` says so.
;; harmless
(global $calls (mut i64) (i64.const 0))
(func $watch (param $rows i32) (param $columns i32) (local $at i32)
  (if (i32.eqz (local.get $rows)) (then (return)))
  (global.set $calls (i64.add (global.get $calls) (i64.const 1)))
  (local.set $at (i32.load offset=16 (local.get $columns)))
  (i64.store (local.get $at) (i64.add (i64.load (local.get $at)) (global.get $calls))))
