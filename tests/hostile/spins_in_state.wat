;; Never gives an empty state.
;; kind: stateful-mapper
;; always: time: it took more than 100ms for one batch
(func $harm_create (loop $turn (br $turn)))
