;; Makes a resource and drops it again, a thousand times a call: handles that are given back are none.
;; harmless
(import "[export]weir:hostile/things" "[resource-new]thing" (func $new (param i32) (result i32)))
(import "[export]weir:hostile/things" "[resource-drop]thing" (func $drop (param i32)))
(func $harm (param $rows i32) (param $columns i32) (local $left i32)
  (local.set $left (i32.const 2000))
  (loop $next
    (call $drop (call $new (local.get $left)))
    (local.set $left (i32.sub (local.get $left) (i32.const 1)))
    (br_if $next (local.get $left))))
