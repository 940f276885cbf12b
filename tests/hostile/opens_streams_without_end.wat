;; Asks WASI for its standard output again and again.
;; fault: memory: it holds more than 1000 handles of resources
(import "wasi:cli/stdout@0.2.0" "get-stdout" (func $stdout (result i32)))
(func $harm (param $rows i32) (param $columns i32)
  (loop $turn
    (drop (call $stdout))
    (br $turn)))
