;; Wants a large table before it can be asked anything.
;; limits: table-elements=1000
;; refused: it asked for 90003 table elements in all, and its limit is 1000
(table $big 90000 funcref)
