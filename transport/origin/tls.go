package origin

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"fmt"
	"log/slog"
	"math/big"
	"net"
	"os"
	"sync"
	"time"
)

// certificateAge is how long a certificate is used before its files are looked at again.
const certificateAge = time.Minute

// TLSFiles returns a configuration for Options.TLS with the certificate in two PEM files. When they are replaced, as they are
// every few months, new connections get the new certificate within a minute. One that can not be read is not taken.
func TLSFiles(cert, key string, logger *slog.Logger) (*tls.Config, error) {
	f := &certificateFiles{cert: cert, key: key, log: logger, now: time.Now}
	if err := f.load(); err != nil {
		return nil, err
	}
	return &tls.Config{MinVersion: tls.VersionTLS12, GetCertificate: f.get}, nil
}

type certificateFiles struct {
	cert, key string
	log       *slog.Logger
	now       func() time.Time

	mu      sync.Mutex // guards the fields below
	current *tls.Certificate
	looked  time.Time // when the files were looked at
	changed time.Time // when the certificate's file had been changed then
}

func (f *certificateFiles) get(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.now().Sub(f.looked) < certificateAge {
		return f.current, nil
	}
	if info, err := os.Stat(f.cert); err == nil && info.ModTime().Equal(f.changed) {
		f.looked = f.now()
		return f.current, nil
	}
	if err := f.load(); err != nil {
		f.log.Error("new certificate can not be used; the old one stays", slog.Any("error", err))
	}
	return f.current, nil
}

func (f *certificateFiles) load() error {
	f.looked = f.now()
	info, err := os.Stat(f.cert)
	if err != nil {
		return fmt.Errorf("reading the certificate: %w", err)
	}
	pair, err := tls.LoadX509KeyPair(f.cert, f.key)
	if err != nil {
		return fmt.Errorf("reading the certificate %s and its key %s: %w", f.cert, f.key, err)
	}
	f.current, f.changed = &pair, info.ModTime()
	return nil
}

// TLSSelfSigned returns a configuration for Options.TLS with a certificate made now, for trials: nobody trusts it.
// hosts are the names and addresses it is for.
func TLSSelfSigned(now time.Time, hosts ...string) (*tls.Config, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("making a key: %w", err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(now.UnixNano()),
		Subject:      pkix.Name{CommonName: "venuecast, self-signed"},
		NotBefore:    now.Add(-time.Hour),
		NotAfter:     now.AddDate(1, 0, 0),
		KeyUsage:     x509.KeyUsageDigitalSignature,
		ExtKeyUsage:  []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	for _, host := range hosts {
		if ip := net.ParseIP(host); ip != nil {
			template.IPAddresses = append(template.IPAddresses, ip)
		} else if host != "" {
			template.DNSNames = append(template.DNSNames, host)
		}
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		return nil, fmt.Errorf("making a certificate: %w", err)
	}
	pair := tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
	return &tls.Config{MinVersion: tls.VersionTLS12, Certificates: []tls.Certificate{pair}}, nil
}
