;; Never gives the memory that its arguments are to be put into.
;; always: time: it took more than 100ms for one batch
(func $realloc (export "cabi_realloc") (param $old i32) (param $old_size i32) (param $align i32) (param $size i32)
  (result i32) (loop $turn (br $turn)) unreachable)
