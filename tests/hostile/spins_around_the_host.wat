;; Spends all its time in calls of the host, where it burns no fuel.
;; limits: host-calls=4000000000
;; fault: time: it took more than 100ms for one batch
(func $harm (param $rows i32) (param $columns i32) (loop $turn (drop (call $random)) (br $turn)))
