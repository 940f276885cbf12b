package weir

// Level is how grave a line of the log is.
type Level uint32

// In the contract's order.
const (
	Debug Level = iota
	Info
	Warn
	Error
)
