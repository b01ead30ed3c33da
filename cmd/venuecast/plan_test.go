package main

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/venuecast/venuecast/pipeline/transcode"
)

func TestAChildIsToldItsPlanAtItsStartAndAtEachChange(t *testing.T) {
	var o orders
	var first, second bytes.Buffer
	require.NoError(t, o.begin("hall", &first))
	require.Empty(t, first.String(), "there is no plan yet")
	require.NoError(t, o.SetPlan("hall", transcode.Plan{"1080p": transcode.RateOff}))
	require.NoError(t, o.SetPlan("other", transcode.Plan{"1080p": transcode.RateHalf}))
	require.JSONEq(t, `{"plan":{"1080p":"off"}}`, first.String())
	o.end("hall")
	require.NoError(t, o.begin("hall", &second))
	require.Equal(t, first.String(), second.String(), "its successor has the same plan")
	require.NoError(t, o.SetPlan("hall", nil))
	require.Equal(t, first.String()+`{"plan":null}`+"\n", second.String())
	o.end("hall")
	var third bytes.Buffer
	require.NoError(t, o.begin("hall", &third))
	require.Empty(t, third.String())
}
