;; A resource whose destructor makes another one and drops it, and so on.
;; fault: stack: its calls nest too deep
(import "[export]weir:hostile/things" "[resource-new]thing" (func $new (param i32) (result i32)))
(import "[export]weir:hostile/things" "[resource-drop]thing" (func $drop (param i32)))
(func $destroy (export "weir:hostile/things#[dtor]thing") (param i32)
  (call $drop (call $new (i32.const 7))))
(func $harm (param $rows i32) (param $columns i32)
  (call $destroy (i32.const 0)))
