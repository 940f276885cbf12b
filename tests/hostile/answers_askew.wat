;; Says that its answer stands where no answer may stand.
;; always: trap: pointer not aligned
(func $answer (param $rows i32) (param $columns i32) (result i32)
  (if (result i32) (local.get $rows) (then (i32.const 1025)) (else (i32.const 4096))))
