package rtsp

import (
	"errors"
	"net"
)

// udpPair is two sockets on neighbouring ports, the first even: RTP and RTCP (RFC 3550 §11).
type udpPair struct{ rtp, rtcp *net.UDPConn }

// listenUDPPair takes the first free pair that the kernel offers.
func listenUDPPair(ip net.IP) (udpPair, error) {
	const attempts = 64
	for range attempts {
		rtp, err := net.ListenUDP("udp", &net.UDPAddr{IP: ip})
		if err != nil {
			return udpPair{}, err
		}
		port := rtp.LocalAddr().(*net.UDPAddr).Port
		if port%2 == 0 {
			rtcp, err := net.ListenUDP("udp", &net.UDPAddr{IP: ip, Port: port + 1})
			if err == nil {
				return udpPair{rtp, rtcp}, nil
			}
		}
		rtp.Close()
	}
	return udpPair{}, errors.New("no two neighbouring UDP ports are free")
}

// listen gives the sockets to the library, which asks for them by address.
func (u udpPair) listen(_, address string) (net.PacketConn, error) {
	if address == u.rtcp.LocalAddr().String() {
		return u.rtcp, nil
	}
	return u.rtp, nil
}

func (u udpPair) close() {
	u.rtp.Close()
	u.rtcp.Close()
}
