package metrics_test

import (
	"encoding/json"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

var (
	metricName = regexp.MustCompile(`\bvenuecast_[a-z_]+\b`)
	suffix     = regexp.MustCompile(`_(bucket|sum|count)$`) // of a histogram's series
)

// TestAlertsAndDashboardNameMetricsThatExist holds the files for operators to what the code shows.
func TestAlertsAndDashboardNameMetricsThatExist(t *testing.T) {
	known := all(t)
	for _, path := range []string{
		"../../configs/prometheus/alerts.yml", "../../configs/prometheus/alerts_test.yml", "../../configs/grafana/venuecast.json",
	} {
		text, err := os.ReadFile(path)
		require.NoError(t, err)
		names := metricName.FindAllString(string(text), -1)
		require.Greater(t, len(names), 10, path)
		for _, name := range names {
			if _, ok := known[name]; !ok {
				require.Contains(t, known, suffix.ReplaceAllString(name, ""), path)
			}
		}
	}
}

func TestTheDashboardIsJSONWithAQueryInEveryPanel(t *testing.T) {
	text, err := os.ReadFile("../../configs/grafana/venuecast.json")
	require.NoError(t, err)
	var board struct {
		Panels []struct {
			ID      int
			Title   string
			Targets []struct{ Expr string }
		}
	}
	require.NoError(t, json.Unmarshal(text, &board))
	ids := map[int]bool{}
	for _, p := range board.Panels {
		require.False(t, ids[p.ID], p.Title)
		ids[p.ID] = true
		require.NotEmpty(t, p.Targets, p.Title)
		for _, target := range p.Targets {
			require.Equal(t, strings.Count(target.Expr, "("), strings.Count(target.Expr, ")"), target.Expr)
		}
	}
	require.NotEmpty(t, ids)
}
