;; Never returns from the destructor of a resource.
;; fault: time: it took more than 100ms for one batch
(import "[export]weir:hostile/things" "[resource-new]thing" (func $new (param i32) (result i32)))
(import "[export]weir:hostile/things" "[resource-drop]thing" (func $drop (param i32)))
(func $spin (export "weir:hostile/things#[dtor]thing") (param i32)
  (loop $turn (br $turn)))
(func $harm (param $rows i32) (param $columns i32)
  (call $drop (call $new (i32.const 7))))
