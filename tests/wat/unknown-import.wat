;; Imports what no function gets.
(component
  (import "evil:net/sockets@1.0.0" (instance
    (export "connect" (func (param "address" string))))))
