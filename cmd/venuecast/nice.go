package main

import (
	"sync"
	"syscall"
)

// niceness is how nice the children are.
type niceness struct {
	mu   sync.Mutex // guards the field below
	kids map[string]kid
}

type kid struct{ pid, nice int }

func (n *niceness) born(feed string, pid int) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.kids == nil {
		n.kids = map[string]kid{}
	}
	n.kids[feed] = kid{pid: pid}
}

func (n *niceness) gone(feed string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	delete(n.kids, feed)
}

// renice makes a child so nice: all its threads, for each child is a process group. Without privilege it only gets nicer.
func (c *children) renice(feed string, nice int) {
	pid := c.changed(feed, nice)
	if pid == 0 {
		return
	}
	if err := syscall.Setpriority(syscall.PRIO_PGRP, pid, nice); err != nil {
		c.log.Debug("child keeps its niceness", "feed", feed, "wanted", nice, "error", err)
	}
}

// changed notes how nice a child is to be. It returns its process, 0 when there is nothing to do.
func (n *niceness) changed(feed string, nice int) (pid int) {
	n.mu.Lock()
	defer n.mu.Unlock()
	k, there := n.kids[feed]
	if !there || k.nice == nice {
		return 0
	}
	n.kids[feed] = kid{k.pid, nice}
	return k.pid
}
