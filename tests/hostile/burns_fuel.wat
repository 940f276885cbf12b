;; Counts without end, where instructions are counted: it fails the same way on every machine.
;; limits: fuel-per-row=1000 batch-time=60000ms
;; fault: fuel: it took more than 1000 instructions a row
(func $harm (param $rows i32) (param $columns i32) (loop $turn (br $turn)))
