//go:build !wasip1

package weir

import (
	"fmt"
	"os"
)

// Log writes a line to stderr: outside of a component there is no log.
func Log(level Level, message string) { fmt.Fprintln(os.Stderr, level, message) }

// Parameter gives nothing: outside of a component parameters have their defaults.
func Parameter(string) (string, bool) { return "", false }

// Now is 0 outside of a component.
func Now() Timestamp { return 0 }

// Random is always the same outside of a component.
func Random() uint64 { return 0x9e3779b97f4a7c15 }
