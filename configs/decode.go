package configs

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/token"
)

// decoder walks the parsed file by a schema written as Go (fields.go) and collects mistakes with their places.
type decoder struct {
	file string
	env  func(string) (string, bool)
	errs Errors
}

// fields says for each key of a mapping what reads its value.
type fields map[string]func(value ast.Node)

// fail reports a mistake at n. What follows from an earlier one at the same place is not said again.
func (d *decoder) fail(n ast.Node, format string, args ...any) {
	at := start(n)
	if last := len(d.errs) - 1; last >= 0 && at != nil && d.errs[last].Line == at.Line && d.errs[last].Column == at.Column {
		return
	}
	d.failAt(at, format, args...)
}

func (d *decoder) failAt(at *token.Position, format string, args ...any) {
	e := Error{File: d.file, Message: fmt.Sprintf(format, args...)}
	if at != nil {
		e.Line, e.Column = at.Line, at.Column
	}
	d.errs = append(d.errs, e)
}

// start returns the place where n begins. The token of a block mapping is its first colon, so its key is asked.
func start(n ast.Node) *token.Position {
	if m, ok := n.(*ast.MappingNode); ok && !m.IsFlowStyle && len(m.Values) > 0 {
		n = m.Values[0].Key
	}
	if n == nil || n.GetToken() == nil {
		return nil
	}
	return n.GetToken().Position
}

// mapping reads the keys of n; required ones must be there.
func (d *decoder) mapping(n ast.Node, what string, known fields, required ...string) {
	pairs, ok := d.pairs(n, what)
	if !ok {
		return
	}
	given := map[string]bool{}
	for _, pair := range pairs {
		key := unprotect(pair.Key.GetToken().Value)
		read, ok := known[key]
		switch {
		case given[key]:
			d.fail(pair.Key, "%s is given twice: want it once", key)
		case !ok:
			d.fail(pair.Key, "%s has no key %q: %s", what, key, suggest(key, slices.Sorted(maps.Keys(known))))
		case hasValue(pair): // a key without a value means its default
			read(pair.Value)
			given[key] = true
		}
	}
	missing := slices.DeleteFunc(required, func(key string) bool { return given[key] })
	if len(missing) > 0 {
		d.failAt(start(n), "%s needs %s", what, list(missing, "and"))
	}
}

// pairs returns the entries of a mapping.
func (d *decoder) pairs(n ast.Node, what string) (pairs []*ast.MappingValueNode, ok bool) {
	switch n := n.(type) {
	case *ast.MappingNode:
		return n.Values, true
	case *ast.MappingValueNode:
		return []*ast.MappingValueNode{n}, true
	}
	d.fail(n, "%s is %s: want a mapping (key: value)", what, kindOf(n))
	return nil, false
}

func hasValue(pair *ast.MappingValueNode) bool {
	return pair.Value != nil && pair.Value.Type() != ast.NullType
}

// sequence returns the entries of a list of at most limit.
func (d *decoder) sequence(n ast.Node, what string, limit int) []ast.Node {
	sequence, ok := n.(*ast.SequenceNode)
	if !ok {
		d.fail(n, "%s is %s: want a list (- …)", what, kindOf(n))
		return nil
	}
	if len(sequence.Values) > limit {
		d.fail(sequence.Values[limit], "%s has %d entries: want at most %d", what, len(sequence.Values), limit)
		return sequence.Values[:limit]
	}
	return sequence.Values
}

// raw returns the text of a scalar as it is written, variables not yet expanded.
func (d *decoder) raw(n ast.Node, what string) string {
	s, ok := written(n)
	if !ok {
		d.fail(n, "%s is %s: want a single value", what, kindOf(n))
	}
	return s
}

// written returns a scalar as the file has it. Messages show this form: a variable may hold a password.
func written(n ast.Node) (text string, ok bool) {
	switch n := n.(type) {
	case *ast.StringNode:
		return unprotect(n.Value), true
	case *ast.LiteralNode:
		return strings.TrimSpace(unprotect(n.Value.Value)), true
	case *ast.IntegerNode, *ast.FloatNode, *ast.BoolNode:
		return n.GetToken().Value, true
	}
	return "", false
}

func quote(n ast.Node) string {
	s, _ := written(n)
	return strconv.Quote(s)
}

// text returns the text of a scalar.
func (d *decoder) text(n ast.Node, what string) string { return d.expand(d.raw(n, what), n) }

// oneOf returns the text of a scalar that must be one of choices.
func (d *decoder) oneOf(n ast.Node, what string, choices ...string) string {
	s := d.text(n, what)
	if !slices.Contains(choices, s) {
		d.fail(n, "%s %s: %s", what, quote(n), suggest(s, choices))
	}
	return s
}

func kindOf(n ast.Node) string {
	switch n.(type) {
	case nil, *ast.NullNode:
		return "empty"
	case *ast.MappingNode, *ast.MappingValueNode:
		return "a mapping"
	case *ast.SequenceNode:
		return "a list"
	case *ast.AnchorNode, *ast.AliasNode, *ast.TagNode, *ast.MergeKeyNode:
		return "an anchor, alias or tag, which are not read here"
	}
	return "a " + strings.ToLower(n.Type().String())
}
