;; Asks what stands behind handles that it was never given.
;; fault: trap: unknown handle index
(import "[export]weir:hostile/things" "[resource-rep]thing" (func $rep (param i32) (result i32)))
(func $harm (param $rows i32) (param $columns i32) (local $handle i32)
  (loop $next
    (drop (call $rep (local.get $handle)))
    (local.set $handle (i32.add (local.get $handle) (i32.const 1)))
    (br $next)))
