;; Imports a resource of an interface that the host does not offer.
;; refused: it imports `weir:hostile/others`, which no function gets
(import "weir:hostile/others" "make" (func $make (result i32)))
(func $harm (param $rows i32) (param $columns i32)
  (drop (call $make)))
