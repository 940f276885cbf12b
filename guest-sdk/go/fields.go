package weir

import (
	"fmt"
	"reflect"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unsafe"
)

// What a column holds, in the contract's order.
type dataType uint8

const (
	boolean dataType = iota
	int32Type
	int64Type
	float32Type
	float64Type
	timestamp
	text
	bytesType
)

// A column and where its value stands in a Go struct.
type field struct {
	name     string
	typ      dataType
	nullable bool
	offset   uintptr
	// Of the Go value: how it is read and written.
	isTime bool
}

func (t dataType) width() int {
	switch t {
	case int32Type, float32Type:
		return 4
	case int64Type, float64Type, timestamp:
		return 8
	}
	return 0
}

var timeType = reflect.TypeFor[time.Time]()

// typeOf is the column's type of a Go type.
func typeOf(t reflect.Type) (typ dataType, isTime, ok bool) {
	switch {
	case t == timeType:
		return timestamp, true, true
	case t == reflect.TypeFor[Timestamp]():
		return timestamp, false, true
	case t.Kind() == reflect.Slice && t.Elem().Kind() == reflect.Uint8:
		return bytesType, false, true
	}
	switch t.Kind() {
	case reflect.Bool:
		return boolean, false, true
	case reflect.Int32:
		return int32Type, false, true
	case reflect.Int64:
		return int64Type, false, true
	case reflect.Float32:
		return float32Type, false, true
	case reflect.Float64:
		return float64Type, false, true
	case reflect.String:
		return text, false, true
	}
	return 0, false, false
}

func fieldOf(function, name string, t reflect.Type, offset uintptr) field {
	f := field{name: name, offset: offset}
	if t.Kind() == reflect.Pointer {
		f.nullable = true
		t = t.Elem()
	}
	var ok bool
	if f.typ, f.isTime, ok = typeOf(t); !ok {
		panic(fmt.Sprintf("%s: %s of `%s` is no type of a column; use bool, int32, int64, float32, float64, string, []byte, time.Time or weir.Timestamp, or a pointer to one where there may be nulls", function, t, name))
	}
	return f
}

// columnName is the tag of a struct's field, or its name in snake case.
func columnName(f reflect.StructField) string {
	if name := f.Tag.Get("weir"); name != "" {
		return name
	}
	var b strings.Builder
	runes := []rune(f.Name)
	for i, r := range runes {
		if unicode.IsUpper(r) && i > 0 && (unicode.IsLower(runes[i-1]) || i+1 < len(runes) && unicode.IsLower(runes[i+1])) {
			b.WriteByte('_')
		}
		b.WriteRune(unicode.ToLower(r))
	}
	return b.String()
}

// structFields are the columns of a struct.
func structFields[T any](function string) []field {
	t := reflect.TypeFor[T]()
	if t.Kind() != reflect.Struct {
		panic(fmt.Sprintf("%s: %s is no struct of columns", function, t))
	}
	var fields []field
	for i := range t.NumField() {
		f := t.Field(i)
		fields = append(fields, fieldOf(function, columnName(f), f.Type, f.Offset))
	}
	return fields
}

// resultFields are the columns of a struct, or the one of a scalar.
func resultFields[T any](function, name string) []field {
	t := reflect.TypeFor[T]()
	if t.Kind() == reflect.Struct && t != timeType {
		return structFields[T](function)
	}
	return []field{fieldOf(function, name, t, 0)}
}

// sliceFields are the columns of a struct of slices, or of one slice.
func sliceFields[T any](function, name string) []field {
	of := func(name string, t reflect.Type, offset uintptr) field {
		if t.Kind() != reflect.Slice {
			panic(fmt.Sprintf("%s: `%s` is no slice of a column's values", function, name))
		}
		f := fieldOf(function, name, t.Elem(), offset)
		if f.nullable || f.isTime {
			panic(fmt.Sprintf("%s: `%s` is %s, which whole columns can't be; use Map", function, name, t))
		}
		return f
	}
	t := reflect.TypeFor[T]()
	if t.Kind() == reflect.Slice {
		return []field{of(name, t, 0)}
	}
	var fields []field
	for i := range t.NumField() {
		f := t.Field(i)
		fields = append(fields, of(columnName(f), f.Type, f.Offset))
	}
	return fields
}

// A constant that the pipeline sets.
type parameter struct {
	name, doc    string
	typ          dataType
	defaultValue *string
}

// The parameters of a function, parsed once.
type parameters[P any] struct {
	list   []parameter
	fields []field
	parsed *P
}

// parametersOf are the fields of a struct. The tag `default:".."` is what a parameter is where the pipeline gives
// none, `doc:".."` says what it does.
func parametersOf[P any](function string) *parameters[P] {
	p := &parameters[P]{fields: structFields[P](function)}
	t := reflect.TypeFor[P]()
	for i, f := range p.fields {
		one := parameter{name: f.name, typ: f.typ, doc: t.Field(i).Tag.Get("doc")}
		if value, ok := t.Field(i).Tag.Lookup("default"); ok {
			one.defaultValue = &value
		}
		p.list = append(p.list, one)
	}
	return p
}

func (p *parameters[P]) read() (P, error) {
	if p.parsed != nil {
		return *p.parsed, nil
	}
	var values P
	for i, f := range p.fields {
		given, ok := Parameter(f.name)
		if !ok {
			if p.list[i].defaultValue == nil {
				return values, Refuse("parameter `%s` is missing", f.name)
			}
			given = *p.list[i].defaultValue
		}
		if err := parse(f, given, unsafe.Add(unsafe.Pointer(&values), f.offset)); err != nil {
			return values, Refuse("parameter `%s`: %v", f.name, err)
		}
	}
	p.parsed = &values
	return values, nil
}

// parse reads the text form of a value.
func parse(f field, given string, at unsafe.Pointer) (err error) {
	switch f.typ {
	case boolean:
		*(*bool)(at), err = strconv.ParseBool(given)
	case int32Type:
		var v int64
		v, err = strconv.ParseInt(given, 10, 32)
		*(*int32)(at) = int32(v)
	case int64Type, timestamp:
		var v int64
		v, err = strconv.ParseInt(given, 10, 64)
		if f.isTime {
			*(*time.Time)(at) = time.UnixMicro(v).UTC()
		} else {
			*(*int64)(at) = v
		}
	case float32Type:
		var v float64
		v, err = strconv.ParseFloat(given, 32)
		*(*float32)(at) = float32(v)
	case float64Type:
		*(*float64)(at), err = strconv.ParseFloat(given, 64)
	case text:
		*(*string)(at) = given
	case bytesType:
		*(*[]byte)(at) = []byte(given)
	}
	return err
}
