;; Gives a handle back that it has given back.
;; fault: trap: unknown handle index
(import "[export]weir:hostile/things" "[resource-new]thing" (func $new (param i32) (result i32)))
(import "[export]weir:hostile/things" "[resource-drop]thing" (func $drop (param i32)))
(func $harm (param $rows i32) (param $columns i32) (local $handle i32)
  (local.set $handle (call $new (i32.const 7)))
  (call $drop (local.get $handle))
  (call $drop (local.get $handle)))
