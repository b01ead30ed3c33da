package configs

import (
	"regexp"
	"strings"

	"github.com/goccy/go-yaml/ast"
)

// A plain YAML scalar within {…} cannot hold braces, but push_token: ${PUSH_TOKEN} reads best there. So the braces of
// a variable are swapped for two private characters while YAML is parsed. One rune stays one rune: columns are kept.
const leftBrace, rightBrace = "\ue000", "\ue001"

var (
	variable = regexp.MustCompile(`\$\{([^{}\n]*)\}`)
	varName  = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)

	restorer = strings.NewReplacer(leftBrace, "{", rightBrace, "}")
)

func protect(text string) string {
	return variable.ReplaceAllString(text, "$$"+leftBrace+"$1"+rightBrace)
}

func unprotect(text string) string { return restorer.Replace(text) }

// expand puts the environment's values for ${NAME} into a scalar. Values are never parsed as YAML.
func (d *decoder) expand(text string, n ast.Node) string {
	return variable.ReplaceAllStringFunc(text, func(found string) string {
		name := found[2 : len(found)-1]
		if !varName.MatchString(name) {
			d.fail(n, "%s is no variable: want ${NAME} of letters, digits and _", found)
			return ""
		}
		value, ok := d.env(name)
		if !ok {
			d.fail(n, "the environment has no variable %s: set it before the start", name)
		}
		return value
	})
}
