;; Wants more memory for its arguments than it may have.
;; always: memory: and its limit is 67108864 bytes
(func $realloc (export "cabi_realloc") (param $old i32) (param $old_size i32) (param $align i32) (param $size i32)
  (result i32)
  (if (i32.eq (memory.grow (i32.const 60000)) (i32.const -1)) (then unreachable))
  (i32.const 65536))
