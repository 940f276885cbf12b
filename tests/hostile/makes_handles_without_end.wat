;; Makes a resource of its own again and again: each handle stands in the host's memory.
;; fault: memory: it holds more than 1000 handles of resources
(import "[export]weir:hostile/things" "[resource-new]thing" (func $new (param i32) (result i32)))
(func $harm (param $rows i32) (param $columns i32)
  (loop $turn
    (drop (call $new (i32.const 7)))
    (br $turn)))
