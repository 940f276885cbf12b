package weir

import (
	"errors"
	"fmt"
	"runtime/debug"
)

// A row of the catalog, and what is called. Which of the funcs there are goes with the kind.
type function struct {
	name, doc   string
	kind        kind
	parameters  []parameter
	inputs      []field
	outputs     []field
	accumulator []field

	mapBatch            func(batch) (batch, []rowError, error)
	filterBatch         func(batch) ([]byte, []rowError, error)
	flatMapBatch        func(batch) (emitted, error)
	create              func(int) (batch, error)
	accumulate, retract func(batch, []uint32, batch) (batch, []rowError, error)
	merge               func(batch, []uint32, batch) (batch, error)
	finish              func(batch) (batch, error)
	statefulMapBatch    func(batch, []uint32, batch) (batch, emitted, error)
	groupMapBatch       func(int, []uint32, batch) (emitted, error)
}

type kind uint8

// In the contract's order.
const (
	mapper kind = iota
	filter
	flatMapper
	aggregate
	statefulMapper
	groupMapper
)

// The catalog, in the order of registration.
var functions []function

func register(f function) { functions = append(functions, f) }

// A row that failed.
type rowError struct {
	row     uint32
	message string
}

// Rows put out, each with the row or group that it came from.
type emitted struct {
	output  batch
	parents []uint32
	errors  []rowError
}

// The rows of a call that failed.
type failures struct {
	rows []rowError
	told bool
}

// each calls one for every row. An error or a panic fails its row, and nothing is called in its place; a
// refusal ends it all.
func (f *failures) each(rows int, one func(int) error, nothing func()) error {
	for row := 0; row < rows; row++ {
		next, err := f.until(row, rows, one)
		if err != nil {
			return err
		}
		if next < rows {
			nothing()
		}
		row = next
	}
	return nil
}

// until calls one from a row on, and gives the row that panicked, if one did. Errors are taken on the way.
func (f *failures) until(row, rows int, one func(int) error) (next int, err error) {
	defer func() {
		if cause := recover(); cause != nil {
			f.fail(row, fmt.Sprintf("panic: %v", cause))
			if !f.told {
				f.told = true
				Log(Warn, fmt.Sprintf("panic: %v\n%s", cause, debug.Stack()))
			}
			next = row
		}
	}()
	for ; row < rows; row++ {
		if err := one(row); err != nil {
			var refused refusal
			if errors.As(err, &refused) {
				return rows, refused
			}
			f.fail(row, err.Error())
		}
	}
	return rows, nil
}

func (f *failures) fail(row int, message string) {
	f.rows = append(f.rows, rowError{uint32(row), message})
}

// kept calls change with a state, and leaves that as it was where it fails or panics.
func kept[S any](state *S, change func(*S) error) error {
	next := *state
	if err := change(&next); err != nil {
		return err
	}
	*state = next
	return nil
}

// recovered makes a panic of a whole call an error.
func recovered(err *error) {
	if cause := recover(); cause != nil {
		Log(Error, fmt.Sprintf("panic: %v\n%s", cause, debug.Stack()))
		*err = Refuse("panic: %v", cause)
	}
}
