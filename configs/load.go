package configs

import (
	"errors"
	"fmt"
	"io"
	"os"
	"slices"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/lexer"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"
)

// Bounds of what is read. The parser's time grows with the square of the depth.
const (
	maxFileBytes = 1 << 20
	maxDepth     = 32
)

// Load reads the configuration file at path. env looks up environment variables: os.LookupEnv, outside of tests.
// When the file has mistakes, the error is Errors.
func Load(path string, env func(name string) (string, bool)) (*Config, error) {
	text, err := readBounded(path)
	if err != nil {
		return nil, fmt.Errorf("reading the configuration: %w", err)
	}
	return Parse(path, text, env)
}

// Parse is Load for a text that is already read; file names it in errors.
func Parse(file string, text []byte, env func(name string) (string, bool)) (*Config, error) {
	d := &decoder{file: file, env: env}
	root := d.parse(text)
	config := d.config(root)
	config.File = file
	if len(d.errs) > 0 {
		return nil, d.errs.sorted()
	}
	return config, nil
}

func readBounded(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, maxFileBytes+1))
	if err != nil {
		return nil, err
	}
	if len(text) > maxFileBytes {
		return nil, fmt.Errorf("%s is larger than %d bytes", path, maxFileBytes)
	}
	return text, nil
}

// parse returns the file's only document, nil when it is empty or does not parse.
func (d *decoder) parse(text []byte) ast.Node {
	tokens := lexer.Tokenize(protect(string(text)))
	if deep := tooDeep(tokens); deep != nil {
		d.failAt(deep.Position, "more than %d levels deep: want a plain configuration", maxDepth)
		return nil
	}
	file, err := parser.Parse(tokens, 0, parser.AllowDuplicateMapKey()) // the decoder finds duplicates, all of them
	if err != nil {
		d.syntax(err)
		return nil
	}
	return d.onlyDocument(file.Docs)
}

func (d *decoder) onlyDocument(docs []*ast.DocumentNode) ast.Node {
	docs = slices.DeleteFunc(docs, func(doc *ast.DocumentNode) bool { return doc.Body == nil })
	if len(docs) == 0 {
		return nil
	}
	if len(docs) > 1 {
		d.fail(docs[1].Body, "a second document begins here: want one in a file")
		return nil
	}
	return docs[0].Body
}

func (d *decoder) syntax(err error) {
	var located yaml.Error
	if errors.As(err, &located) && located.GetToken() != nil {
		d.failAt(located.GetToken().Position, "not YAML: %s", unprotect(located.GetMessage()))
		return
	}
	d.errs = append(d.errs, Error{File: d.file, Message: "not YAML: " + unprotect(err.Error())})
}

// tooDeep returns the token that nests deeper than maxDepth, nil if none does.
func tooDeep(tokens token.Tokens) *token.Token {
	open, run := 0, 0
	for _, t := range tokens {
		switch t.Type {
		case token.MappingStartType, token.SequenceStartType:
			open++
		case token.MappingEndType, token.SequenceEndType:
			open--
		case token.SequenceEntryType, token.MappingKeyType:
			run++
		default:
			run = 0
		}
		if open > maxDepth || run > maxDepth {
			return t
		}
	}
	return nil
}
