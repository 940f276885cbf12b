;; Reads behind the end of its memory.
;; fault: trap: out of bounds memory access
(func $harm (param $rows i32) (param $columns i32) (drop (i32.load offset=4294967280 (i32.const -16))))
