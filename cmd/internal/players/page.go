package main

import (
	"encoding/json"
	"net/http"
	"path/filepath"
	"time"
)

// page serves trial.html with a player's script, takes its reports and answers with commands.
type page struct {
	files    string // folder of the page
	player   string // the player's script
	recorder *recorder
}

func (p page) handler() http.Handler {
	mux := http.NewServeMux()
	file := func(path, name string) {
		mux.HandleFunc("GET "+path, func(w http.ResponseWriter, r *http.Request) { http.ServeFile(w, r, name) })
	}
	file("/{$}", filepath.Join(p.files, "trial.html"))
	for _, name := range []string{"trial.js", "switching.js"} {
		file("/"+name, filepath.Join(p.files, name))
	}
	mux.HandleFunc("GET /player.js", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/javascript")
		http.ServeFile(w, r, p.player)
	})
	mux.HandleFunc("POST /report", p.report)
	return mux
}

func (p page) report(w http.ResponseWriter, r *http.Request) {
	var m message
	if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxMessage)).Decode(&m); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	m.record(p.recorder)
	w.Header().Set("Content-Type", "application/json")
	commands := p.recorder.commands()
	if commands == nil {
		commands = []string{}
	}
	_ = json.NewEncoder(w).Encode(commands) // a browser that has gone needs none
}

// maxMessage is more than a bar and a few complaints take.
const maxMessage = 1 << 20

// message is what trial.js and gst.py send.
type message struct {
	Loading  bool `json:"loading"`
	Troubles []struct {
		Text  string `json:"text"`
		Fatal bool   `json:"fatal"`
	} `json:"troubles"`
	Sample *struct {
		At       int64   `json:"at"` // Unix milliseconds
		Position float64 `json:"position"`
		Height   int     `json:"height"`
		Decoded  int     `json:"decoded"`
		Dropped  int     `json:"dropped"`
		Date     int64   `json:"date"` // Unix milliseconds; 0: unknown
		Bar      []byte  `json:"bar"`
	} `json:"sample"`
}

// record adds what a message says.
func (m *message) record(r *recorder) {
	if m.Loading {
		r.loading()
	}
	for _, t := range m.Troubles {
		r.trouble(t.Text, t.Fatal)
	}
	if m.Sample == nil {
		return
	}
	s := sample{
		at: time.UnixMilli(m.Sample.At), position: m.Sample.Position, height: m.Sample.Height,
		decoded: m.Sample.Decoded, dropped: m.Sample.Dropped, captured: captured(m.Sample.Bar),
	}
	if m.Sample.Date != 0 {
		s.date = time.UnixMilli(m.Sample.Date)
	}
	r.add(s)
}
