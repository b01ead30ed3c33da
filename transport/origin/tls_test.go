package origin

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"log/slog"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// writeCertificate writes a self-signed certificate as PEM files and returns its serial number.
func writeCertificate(t *testing.T, cert, key string, now time.Time) string {
	config, err := TLSSelfSigned(now, "origin.example")
	require.NoError(t, err)
	pair := config.Certificates[0]
	secret, err := x509.MarshalPKCS8PrivateKey(pair.PrivateKey)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(cert, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: pair.Certificate[0]}), 0o600))
	require.NoError(t, os.WriteFile(key, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: secret}), 0o600))
	return serial(t, &pair)
}

func serial(t *testing.T, pair *tls.Certificate) string {
	cert, err := x509.ParseCertificate(pair.Certificate[0])
	require.NoError(t, err)
	return cert.SerialNumber.String()
}

func TestANewCertificateIsTakenWithoutARestart(t *testing.T) {
	dir := t.TempDir()
	cert, key := filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	now := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	first := writeCertificate(t, cert, key, now)
	f := &certificateFiles{cert: cert, key: key, log: slog.New(slog.DiscardHandler), now: func() time.Time { return now }}
	require.NoError(t, f.load())
	current := func() string {
		pair, err := f.get(nil)
		require.NoError(t, err)
		return serial(t, pair)
	}
	second := writeCertificate(t, cert, key, now.Add(time.Hour))
	require.NoError(t, os.Chtimes(cert, now, now.Add(time.Hour)))
	require.Equal(t, first, current())
	now = now.Add(2 * time.Minute)
	require.Equal(t, second, current())

	require.NoError(t, os.WriteFile(cert, []byte("half a certificate"), 0o600))
	now = now.Add(2 * time.Minute)
	require.Equal(t, second, current(), "what can not be read is not taken")
}

func TestCertificatesThatCanNotBeReadAreErrors(t *testing.T) {
	_, err := TLSFiles(filepath.Join(t.TempDir(), "none.pem"), "none.pem", slog.Default())
	require.ErrorIs(t, err, os.ErrNotExist)
	bad := filepath.Join(t.TempDir(), "bad.pem")
	require.NoError(t, os.WriteFile(bad, []byte("not a certificate"), 0o600))
	_, err = TLSFiles(bad, bad, slog.Default())
	require.ErrorContains(t, err, bad)
}
