;; Adds one to a NaN with bits of its own, and shows the bits that come of it: they are the same on every machine.
;; harmless
(func $watch (param $rows i32) (param $columns i32) (local $at i32)
  (if (i32.eqz (local.get $rows)) (then (return)))
  (local.set $at (i32.load offset=16 (local.get $columns)))
  (i64.store (local.get $at) (i64.reinterpret_f64
    (f64.add (f64.reinterpret_i64 (i64.const 0x7ff4_1234_5678_9abc)) (f64.convert_i64_s (i64.load (local.get $at)))))))
