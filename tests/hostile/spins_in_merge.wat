;; Never merges.
;; kind: aggregate
;; always: time: it took more than 100ms for one batch
(func $harm_merge (loop $turn (br $turn)))
