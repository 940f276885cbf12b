;; Gives a stream of WASI back twice.
;; fault: trap: unknown handle index
(import "wasi:cli/stdout@0.2.0" "get-stdout" (func $stdout (result i32)))
(import "wasi:io/streams@0.2.0" "[resource-drop]output-stream" (func $drop (param i32)))
(func $harm (param $rows i32) (param $columns i32) (local $stream i32)
  (local.set $stream (call $stdout))
  (call $drop (local.get $stream))
  (call $drop (local.get $stream)))
