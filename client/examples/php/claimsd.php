<?php
// claimsd.php: asks claimsd which user a bearer token belongs to, over its HTTP socket. PHP 8 with curl.
declare(strict_types=1);

const CLAIMSD_TIMEOUT_MS = 5000; // of a whole check

// Returns one of
//   ['status' => 200, 'id' => ..., 'email' => ..., 'roles' => [...]]  a valid token of a user with a role of the gate
//   ['status' => 401, 'challenge' => ...]   no token, or a rejected one: the user must log in
//   ['status' => 403]                       the user has none of the gate's roles
//   ['status' => 503, 'retry_after' => n]   no verdict, for any reason: never let the request in, never answer 401
// $authorization: the request's Authorization header, such as $_SERVER['HTTP_AUTHORIZATION'] ?? ''.
function claimsd_check(string $gate, string $authorization, string $socket = '/run/claimsd/http.sock'): array
{
    static $curl = null; // keeps the connection for the next request of this process
    $curl ??= curl_init();
    $fields = [];
    $unavailable = ['status' => 503, 'retry_after' => 1];
    if (preg_match('/[\x00-\x1f\x7f]/', $authorization)) {
        return $unavailable;
    }
    curl_setopt_array($curl, [
        CURLOPT_UNIX_SOCKET_PATH => $socket,
        CURLOPT_URL => 'http://claimsd/v1/auth/' . rawurlencode($gate),
        CURLOPT_HTTPHEADER => $authorization === '' ? ['Authorization:'] : ["Authorization: $authorization"],
        CURLOPT_TIMEOUT_MS => CLAIMSD_TIMEOUT_MS,
        CURLOPT_NOSIGNAL => true,
        CURLOPT_PROXY => '', // not the one of the environment: it would receive the token
        CURLOPT_FOLLOWLOCATION => false,
        CURLOPT_RETURNTRANSFER => true,
        CURLOPT_HEADERFUNCTION => function ($curl, string $line) use (&$fields): int {
            [$name, $value] = explode(':', $line, 2) + [1 => ''];
            $fields[strtolower($name)] = trim($value);
            return strlen($line);
        },
    ]);
    if (curl_exec($curl) === false) {
        return $unavailable;
    }
    switch (curl_getinfo($curl, CURLINFO_RESPONSE_CODE)) {
        case 200:
            $roles = $fields['x-claims-roles'] ?? '';
            return [
                'status' => 200,
                'id' => rawurldecode($fields['x-claims-id'] ?? ''),
                'email' => rawurldecode($fields['x-claims-email'] ?? ''),
                'roles' => $roles === '' ? [] : array_map('rawurldecode', explode(',', $roles)),
            ];
        case 401:
            return ['status' => 401, 'challenge' => $fields['www-authenticate'] ?? 'Bearer'];
        case 403:
            return ['status' => 403];
        default:
            return ['retry_after' => (int) ($fields['retry-after'] ?? 1)] + $unavailable;
    }
}
