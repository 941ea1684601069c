// A backend with one gated page, and the code with which it asks claimsd over its HTTP socket. CLAIMSD_SOCKET and PORT replace the defaults.
package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"
)

const timeout = 5 * time.Second // of a whole check

var claimsd = &http.Client{
	Timeout: timeout,
	Transport: &http.Transport{
		MaxIdleConnsPerHost: 64,
		IdleConnTimeout:     30 * time.Second, // less than http.idle_timeout
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return (&net.Dialer{}).DialContext(ctx, "unix", setting("CLAIMSD_SOCKET", "/run/claimsd/http.sock"))
		},
	},
	CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
}

// Answer is what claimsd decided. Only Status 200 lets a request in.
// 401: the user must log in. 403: the user has none of the gate's roles. 503: no verdict, for any reason.
type Answer struct {
	Status     int
	Challenge  string // for WWW-Authenticate, with 401
	RetryAfter string // seconds, with 503
	ID, Email  string // with 200
	Roles      []string
}

// Check asks claimsd. Authorization is the request's header.
func Check(ctx context.Context, gate, authorization string) Answer {
	unavailable := Answer{Status: http.StatusServiceUnavailable, RetryAfter: "1"}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://claimsd/v1/auth/"+url.PathEscape(gate), nil)
	if err != nil {
		return unavailable
	}
	if authorization != "" {
		request.Header.Set("Authorization", authorization)
	}
	response, err := claimsd.Do(request)
	if err != nil {
		return unavailable
	}
	defer response.Body.Close()
	io.Copy(io.Discard, response.Body) // to the end, so that the connection is kept
	switch response.StatusCode {
	case http.StatusOK:
		answer := Answer{Status: http.StatusOK}
		answer.ID = decoded(response.Header.Get("X-Claims-Id"))
		answer.Email = decoded(response.Header.Get("X-Claims-Email"))
		if roles := response.Header.Get("X-Claims-Roles"); roles != "" {
			for _, role := range strings.Split(roles, ",") {
				answer.Roles = append(answer.Roles, decoded(role))
			}
		}
		return answer
	case http.StatusUnauthorized:
		return Answer{Status: http.StatusUnauthorized, Challenge: response.Header.Get("WWW-Authenticate")}
	case http.StatusForbidden:
		return Answer{Status: http.StatusForbidden}
	}
	if after := response.Header.Get("Retry-After"); after != "" {
		unavailable.RetryAfter = after
	}
	return unavailable
}

// decoded returns a value without its percent-encoding.
func decoded(value string) string {
	text, err := url.PathUnescape(value)
	if err != nil {
		return ""
	}
	return text
}

type userKey struct{}

// Gate lets a request through to next if claimsd does.
func Gate(gate string, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		answer := Check(r.Context(), gate, r.Header.Get("Authorization"))
		switch answer.Status {
		case http.StatusOK:
			next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), userKey{}, answer)))
			return
		case http.StatusUnauthorized:
			w.Header().Set("WWW-Authenticate", answer.Challenge)
		case http.StatusServiceUnavailable:
			w.Header().Set("Retry-After", answer.RetryAfter)
		}
		w.WriteHeader(answer.Status)
	})
}

func setting(name, otherwise string) string {
	if value := os.Getenv(name); value != "" {
		return value
	}
	return otherwise
}

func main() {
	http.Handle("/", Gate("doctors", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintf(w, "hello, %s\n", r.Context().Value(userKey{}).(Answer).Email)
	})))
	listener, err := net.Listen("tcp", "127.0.0.1:"+setting("PORT", "8000"))
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	fmt.Println(listener.Addr().(*net.TCPAddr).Port)
	http.Serve(listener, nil)
}
