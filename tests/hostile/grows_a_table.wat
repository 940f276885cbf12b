;; Makes a table of a million elements.
;; fault: memory: table elements in all, and its limit is 100000
(table $big 1 funcref)
(func $harm (param $rows i32) (param $columns i32)
  (if (i32.eq (table.grow $big (ref.null func) (i32.const 1000000)) (i32.const -1)) (then unreachable)))
