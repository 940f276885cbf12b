;; Never returns from the call for a batch.
;; kind: filter
;; fault: time: it took more than 100ms for one batch
(func $harm (param $rows i32) (param $columns i32) (loop $turn (br $turn)))
