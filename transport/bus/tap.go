package bus

// tapReader reads a feed from what its writer sends, as it is sent, and takes from the stream only what it missed.
// So it goes on while the stream has no leader.
//
//nolint:unused // chosen by NewReader in a cluster
type tapReader struct {
	conn *Conn
	feed string
}
