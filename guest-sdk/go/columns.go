package weir

import (
	"encoding/binary"
	"fmt"
	"time"
	"unsafe"
)

// A column in Arrow's layout, little-endian.
type column struct {
	validity []byte
	offsets  []uint32
	values   []byte
}

type batch struct {
	rows    int
	columns []column
}

func bit(bits []byte, row int) bool { return bits[row/8]>>(row%8)&1 != 0 }

// read sets the fields of a Go value to the values of a row. Texts and bytes are not copied.
func read[T any](fields []field, columns []column, row int, into *T) {
	for i := range fields {
		f, c := &fields[i], &columns[i]
		at := unsafe.Add(unsafe.Pointer(into), f.offset)
		if f.nullable {
			if len(c.validity) > 0 && !bit(c.validity, row) {
				continue // the pointer is nil
			}
			readPointer(f, c, row, at)
			continue
		}
		switch f.typ {
		case int64Type, float64Type:
			*(*uint64)(at) = *(*uint64)(unsafe.Pointer(&c.values[row*8]))
		case int32Type, float32Type:
			*(*uint32)(at) = *(*uint32)(unsafe.Pointer(&c.values[row*4]))
		case boolean:
			*(*bool)(at) = bit(c.values, row)
		case timestamp:
			value := *(*int64)(unsafe.Pointer(&c.values[row*8]))
			if f.isTime {
				*(*time.Time)(at) = time.UnixMicro(value).UTC()
			} else {
				*(*int64)(at) = value
			}
		case text:
			*(*string)(at) = c.text(row)
		case bytesType:
			*(*[]byte)(at) = c.bytes(row)
		}
	}
}

func readPointer(f *field, c *column, row int, at unsafe.Pointer) {
	switch f.typ {
	case int64Type, float64Type:
		*(*unsafe.Pointer)(at) = unsafe.Pointer(&c.values[row*8])
	case int32Type, float32Type:
		*(*unsafe.Pointer)(at) = unsafe.Pointer(&c.values[row*4])
	case timestamp:
		if f.isTime {
			value := time.UnixMicro(*(*int64)(unsafe.Pointer(&c.values[row*8]))).UTC()
			*(**time.Time)(at) = &value
		} else {
			*(*unsafe.Pointer)(at) = unsafe.Pointer(&c.values[row*8])
		}
	case boolean:
		value := bit(c.values, row)
		*(**bool)(at) = &value
	case text:
		value := c.text(row)
		*(**string)(at) = &value
	case bytesType:
		value := c.bytes(row)
		*(**[]byte)(at) = &value
	}
}

func (c *column) bytes(row int) []byte {
	start, end := c.offsets[row], c.offsets[row+1]
	return c.values[start:end:end]
}

func (c *column) text(row int) string {
	bytes := c.bytes(row)
	return unsafe.String(unsafe.SliceData(bytes), len(bytes))
}

// Columns that are being written, row after row.
type writer struct {
	fields  []field
	columns []column
	rows    int
}

func newWriter(fields []field, rows int) *writer {
	w := &writer{fields: fields, columns: make([]column, len(fields))}
	for i, f := range fields {
		c := &w.columns[i]
		switch {
		case f.typ >= text:
			c.offsets = make([]uint32, 1, rows+1)
		case f.typ == boolean:
			c.values = make([]byte, 0, (rows+7)/8)
		default:
			c.values = make([]byte, 0, rows*f.typ.width())
		}
	}
	return w
}

// write appends a row.
func write[T any](w *writer, from *T) {
	for i := range w.fields {
		f := &w.fields[i]
		at := unsafe.Add(unsafe.Pointer(from), f.offset)
		if f.nullable {
			at = *(*unsafe.Pointer)(at)
			w.columns[i].setValid(w.rows, at != nil)
		}
		w.columns[i].push(f, w.rows, at)
	}
	w.rows++
}

func setBit(bits []byte, row int, on bool) []byte {
	if row%8 == 0 {
		bits = append(bits, 0)
	}
	if on {
		bits[row/8] |= 1 << (row % 8)
	}
	return bits
}

func (c *column) setValid(row int, valid bool) { c.validity = setBit(c.validity, row, valid) }

// push appends a value; a null has no place it stands at, and is a zero.
func (c *column) push(f *field, row int, at unsafe.Pointer) {
	switch f.typ {
	case int64Type, float64Type, timestamp:
		var value uint64
		switch {
		case at == nil:
		case f.isTime:
			value = uint64((*time.Time)(at).UnixMicro())
		default:
			value = *(*uint64)(at)
		}
		c.values = binary.LittleEndian.AppendUint64(c.values, value)
	case int32Type, float32Type:
		var value uint32
		if at != nil {
			value = *(*uint32)(at)
		}
		c.values = binary.LittleEndian.AppendUint32(c.values, value)
	case boolean:
		c.values = setBit(c.values, row, at != nil && *(*bool)(at))
	case text:
		if at != nil {
			c.values = append(c.values, *(*string)(at)...)
		}
		c.offsets = append(c.offsets, uint32(len(c.values)))
	case bytesType:
		if at != nil {
			c.values = append(c.values, *(*[]byte)(at)...)
		}
		c.offsets = append(c.offsets, uint32(len(c.values)))
	}
}

func (w *writer) batch() batch { return batch{w.rows, w.columns} }

// readColumns sets the slices of a Go value to whole columns.
func readColumns[T any](fields []field, b batch, into *T) {
	for i := range fields {
		f, c := &fields[i], &b.columns[i]
		at := unsafe.Add(unsafe.Pointer(into), f.offset)
		switch f.typ {
		case boolean:
			values := make([]bool, b.rows)
			for row := range values {
				values[row] = bit(c.values, row)
			}
			*(*[]bool)(at) = values
		case text:
			values := make([]string, b.rows)
			for row := range values {
				values[row] = c.text(row)
			}
			*(*[]string)(at) = values
		case bytesType:
			values := make([][]byte, b.rows)
			for row := range values {
				values[row] = c.bytes(row)
			}
			*(*[][]byte)(at) = values
		case int32Type, float32Type:
			*(*[]uint32)(at) = unsafe.Slice((*uint32)(unsafe.Pointer(unsafe.SliceData(c.values))), b.rows)
		default:
			*(*[]uint64)(at) = unsafe.Slice((*uint64)(unsafe.Pointer(unsafe.SliceData(c.values))), b.rows)
		}
	}
}

// writeColumns makes a batch of the slices of a Go value. Numbers are not copied.
func writeColumns[T any](fields []field, from *T, rows int) (batch, error) {
	columns := make([]column, len(fields))
	for i := range fields {
		f, c := &fields[i], &columns[i]
		at := unsafe.Add(unsafe.Pointer(from), f.offset)
		// Slices of all types have the same shape.
		if n := len(*(*[]byte)(at)); n != rows {
			return batch{}, Refuse("`%s`: %d values for %d rows", f.name, n, rows)
		}
		switch f.typ {
		case boolean:
			for row, value := range *(*[]bool)(at) {
				c.values = setBit(c.values, row, value)
			}
		case text:
			c.offsets = make([]uint32, 1, rows+1)
			for _, value := range *(*[]string)(at) {
				c.values = append(c.values, value...)
				c.offsets = append(c.offsets, uint32(len(c.values)))
			}
		case bytesType:
			c.offsets = make([]uint32, 1, rows+1)
			for _, value := range *(*[][]byte)(at) {
				c.values = append(c.values, value...)
				c.offsets = append(c.offsets, uint32(len(c.values)))
			}
		default:
			data := unsafe.SliceData(*(*[]byte)(at))
			c.values = unsafe.Slice(data, rows*f.typ.width())
		}
	}
	return batch{rows, columns}, nil
}

func checkColumns(b batch, fields []field) error {
	if len(b.columns) != len(fields) {
		return fmt.Errorf("malformed batch: %d columns, but the signature has %d", len(b.columns), len(fields))
	}
	return nil
}
